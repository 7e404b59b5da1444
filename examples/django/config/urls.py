from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from files import views

urlpatterns = [
    path("", views.list_files, name="files"),
    path("sign-up/", views.SignUp.as_view(), name="sign-up"),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
